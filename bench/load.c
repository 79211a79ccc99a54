/* The load generator: one thread, epoll.
 *
 *   load PORT PATH BODY HEADERS MARKS FIRST [-c CONNECTIONS] [-n REQUESTS] [-s SECONDS] [-r RATE] [-g GRACE]
 *
 * Closed loop: every connection sends its next request when its reply has ended. With -r an open loop: RATE requests a
 * second are due at even distances, whether or not earlier ones have been answered, and times count from when a request
 * was due, so that a gateway that falls behind cannot hide it; CONNECTIONS is then the most at once.
 * It begins requests until there are REQUESTS or SECONDS have passed, and then waits for replies at most GRACE seconds;
 * what has not ended by then is unfinished.
 * BODY and HEADERS are files; each "@@NONCE@@@@@@@@@" (16 bytes) in the body becomes another hexadecimal number in every
 * request, so no two are equal. A reply counts if its status is 200 and its body contains MARKS (several, parted by "|"), else
 * it is an error. Time to first token ends with the read in which FIRST was seen in the body ("": its first byte). Prints one
 * line of JSON; times are in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { NONCE = 16, MAX_NONCES = 4096, MAX_MARKS = 4, REPLY = 1 << 20, HEAD = 1 << 14, MOST_REPLIES = 1 << 21 };
static const char PLACE[NONCE + 1] = "@@NONCE@@@@@@@@@";

typedef enum { IN_HEAD, BY_LENGTH, BY_CHUNKS, BY_CLOSE } Framing;
typedef struct {
    int fd, busy, status, closing, seen;
    char *request; size_t sent;
    double start, first;
    Framing framing;
    char head[HEAD]; size_t head_size;
    char *body; size_t body_size;
    size_t left;                           /* of the body, or of the chunk */
    int chunk_state;                       /* 0 size line, 1 data, 2 line end after data, 3 after the last chunk */
    char line[64]; size_t line_size;
} Conn;

static struct sockaddr_in address;
static char *request;
static size_t request_size, nonces[MAX_NONCES];
static int nonce_count, poll_fd;
static const char *marks[MAX_MARKS], *first_mark;
static int mark_count;
static double *ttft, *total;
static double rate, opening, last_start;               /* the moment of the first request; after the last no more begins */
static long wanted, started, done, errors;
static Conn **idle;                                    /* of the open loop: who waits for the next request */
static int idle_count;
static unsigned long serial;
static char fault[200];

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void *need(void *memory) {
    if (!memory) { perror("load"); exit(1); }
    return memory;
}

static char *slurp(const char *path, size_t *size) {
    FILE *file = need(fopen(path, "rb"));
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = need(calloc(1, *size + 1));
    if (fread(data, 1, *size, file) != *size) { perror(path); exit(1); }
    fclose(file);
    return data;
}

static void build_request(const char *port, const char *path, const char *body_path, const char *headers_path) {
    size_t body_size, headers_size;
    char *body = slurp(body_path, &body_size), *headers = slurp(headers_path, &headers_size), *line, *rest = headers;
    request = need(malloc(body_size + headers_size * 2 + strlen(path) + 512));
    request_size = (size_t)sprintf(request, "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%s\r\n", path, port);
    while ((line = strsep(&rest, "\n")))
        if (*line) request_size += (size_t)sprintf(request + request_size, "%s\r\n", line);
    request_size += (size_t)sprintf(request + request_size, "content-length: %zu\r\n\r\n", body_size);
    memcpy(request + request_size, body, body_size);
    request_size += body_size;
    for (char *at = request; nonce_count < MAX_NONCES; at += NONCE) {
        at = memmem(at, request_size - (size_t)(at - request), PLACE, NONCE);
        if (!at) break;
        nonces[nonce_count++] = (size_t)(at - request);
    }
    free(body);
    free(headers);
}

static void watch(Conn *conn) {
    int on = 1;
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (conn->fd < 0 || (connect(conn->fd, (void *)&address, sizeof address) && errno != EINPROGRESS)) {
        snprintf(fault, sizeof fault, "connect: %s", strerror(errno));
        if (conn->fd >= 0) close(conn->fd);
        conn->fd = -1;
        return;
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event item = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = conn};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, conn->fd, &item);
}

static void send_more(Conn *conn) {
    while (conn->sent < request_size) {
        ssize_t sent = send(conn->fd, conn->request + conn->sent, request_size - conn->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {                    /* full: epoll tells when not; broken: the reader sees it */
            if (errno == ECONNREFUSED) {   /* nobody listens: no use in trying again */
                snprintf(fault, sizeof fault, "connect: %s", strerror(errno));
                wanted = started;
            }
            return;
        }
        conn->sent += (size_t)sent;
    }
}

/* Whether one more request begins at all. */
static int more(double now) {
    if (started >= wanted) return 0;
    if (now < last_start) return 1;
    wanted = started;
    return 0;
}

static void begin(Conn *conn, double since) {
    char hex[NONCE + 1];
    if (conn->fd < 0) watch(conn);
    started++;
    if (conn->fd < 0) {                    /* nobody listens: no use in trying the others */
        errors += started - done;
        done = wanted = started;
        return;
    }
    snprintf(hex, sizeof hex, "%016lx", serial++);
    for (int n = 0; n < nonce_count; n++) memcpy(conn->request + nonces[n], hex, NONCE);
    conn->busy = 1;
    conn->sent = conn->head_size = conn->body_size = conn->left = conn->line_size = 0;
    conn->status = conn->closing = conn->seen = conn->chunk_state = 0;
    conn->framing = IN_HEAD;
    conn->first = 0;
    conn->start = since;
    send_more(conn);
}

/* The connection has nothing to do: the next request of the closed loop, or a place among those who wait. */
static void next(Conn *conn, double now) {
    conn->busy = 0;
    if (rate) idle[idle_count++] = conn;
    else if (more(now)) begin(conn, now);
}

/* Of the open loop: begins what is due. */
static void begin_due(double now) {
    while (idle_count && more(now)) {
        double due = opening + (double)started / rate * 1e6;
        if (due > now) return;
        begin(idle[--idle_count], due);
    }
}

static int complete(const Conn *conn) {
    for (int n = 0; n < mark_count; n++)
        if (!memmem(conn->body, conn->body_size, marks[n], strlen(marks[n]))) return 0;
    return conn->status == 200;
}

static void finish(Conn *conn, const char *broken) {
    double now = now_us();
    if (!broken && done - errors < MOST_REPLIES && complete(conn)) {
        ttft[done - errors] = (conn->first ? conn->first : now) - conn->start;
        total[done - errors] = now - conn->start;
    } else {
        if (!*fault)
            snprintf(fault, sizeof fault, "%s, status %d, %zu bytes: %.100s", broken ? broken : "not the reply", conn->status,
                     conn->body_size, conn->body_size ? conn->body : "");
        errors++;
    }
    done++;
    if (conn->closing || broken) {
        close(conn->fd);
        conn->fd = -1;
    }
    next(conn, now);
}

static void keep(Conn *conn, const char *data, size_t size) {
    if (conn->body_size + size >= REPLY) size = REPLY - 1 - conn->body_size;
    size_t from = conn->body_size > 32 ? conn->body_size - 32 : 0;
    memcpy(conn->body + conn->body_size, data, size);
    conn->body_size += size;
    conn->body[conn->body_size] = 0;
    if (!conn->seen && memmem(conn->body + from, conn->body_size - from, first_mark, strlen(first_mark))) {
        conn->seen = 1;
        conn->first = now_us();
    }
}

/* Reads "HTTP/1.1 200" and the framing. Returns how much of `data` belonged to the head, 0 if it is not complete. */
static size_t read_head(Conn *conn, const char *data, size_t size) {
    size_t before = conn->head_size, take = size < HEAD - 1 - before ? size : HEAD - 1 - before;
    memcpy(conn->head + before, data, take);
    conn->head_size += take;
    conn->head[conn->head_size] = 0;
    char *end = strstr(conn->head, "\r\n\r\n");
    if (!end) return 0;
    end[2] = 0;
    conn->status = atoi(conn->head + 9);
    char *length = strcasestr(conn->head, "\ncontent-length:");
    conn->closing = strcasestr(conn->head, "\nconnection: close") != NULL;
    if (strcasestr(conn->head, "\ntransfer-encoding: chunked")) conn->framing = BY_CHUNKS;
    else if (length) conn->framing = BY_LENGTH, conn->left = strtoul(length + 16, NULL, 10);
    else conn->framing = BY_CLOSE, conn->closing = 1;
    return (size_t)(end + 4 - conn->head) - before;
}

/* Returns 1 when the body ended in these bytes. */
static int read_chunks(Conn *conn, const char *data, size_t size) {
    while (size) {
        if (conn->chunk_state == 1) {
            size_t take = size < conn->left ? size : conn->left;
            keep(conn, data, take);
            data += take, size -= take, conn->left -= take;
            if (!conn->left) conn->chunk_state = 2;
            continue;
        }
        char byte = *data++;
        size--;
        if (byte != '\n') {
            if (conn->line_size < sizeof conn->line - 1) conn->line[conn->line_size++] = byte;
            continue;
        }
        conn->line[conn->line_size] = 0;
        int empty = conn->line_size == 0 || conn->line[0] == '\r';
        conn->line_size = 0;
        if (conn->chunk_state == 2) conn->chunk_state = 0;
        else if (conn->chunk_state == 3) { if (empty) return 1; }
        else {
            conn->left = strtoul(conn->line, NULL, 16);
            conn->chunk_state = conn->left ? 1 : 3;
        }
    }
    return 0;
}

static int read_body(Conn *conn, const char *data, size_t size) {
    if (conn->framing == BY_CHUNKS) return read_chunks(conn, data, size);
    if (size) keep(conn, data, size);
    if (conn->framing == BY_CLOSE) return 0;
    conn->left -= size < conn->left ? size : conn->left;
    return conn->left == 0;
}

static void receive(Conn *conn) {
    static char buffer[1 << 18];
    while (conn->fd >= 0) {
        ssize_t got = recv(conn->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            if (conn->busy) finish(conn, conn->framing == BY_CLOSE ? NULL : "closed");
            else { close(conn->fd); conn->fd = -1; }
            return;
        }
        if (!conn->busy) continue;
        size_t size = (size_t)got, taken = 0;
        if (conn->framing == IN_HEAD && !(taken = read_head(conn, buffer, size))) continue;
        if (read_body(conn, buffer + taken, size - taken)) finish(conn, NULL);
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, long count, double part) {
    if (!count) return 0;
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[(long)((double)(count - 1) * part)];
}

static double own_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void usage(void) {
    fputs("load PORT PATH BODY HEADERS MARKS FIRST [-c CONNECTIONS] [-n REQUESTS] [-s SECONDS] [-r RATE] [-g GRACE]\n", stderr);
    exit(2);
}

/* Wakes us when the next request of the open loop is due. */
static void alarm_at(int timer, double us) {
    struct itimerspec when = {.it_value = {(time_t)(us / 1e6), (long)(us - (double)(long)(us / 1e6) * 1e6) * 1000 + 1}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int main(int argc, char **argv) {
    int count = 1, option;
    double seconds = 3600, grace = 20;
    wanted = MOST_REPLIES;
    while ((option = getopt(argc, argv, "c:n:s:r:g:")) != -1)
        if (option == 'c') count = atoi(optarg);
        else if (option == 'n') wanted = atol(optarg);
        else if (option == 's') seconds = atof(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'g') grace = atof(optarg);
        else usage();
    if (argc - optind != 6) usage();
    char **given = argv + optind;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    for (char *mark = strtok(given[4], "|"); mark && mark_count < MAX_MARKS; mark = strtok(NULL, "|")) marks[mark_count++] = mark;
    first_mark = given[5];
    build_request(given[0], given[1], given[2], given[3]);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(given[0]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poll_fd = epoll_create1(0);
    serial = (unsigned long)now_us() << 8;
    ttft = need(calloc(MOST_REPLIES, sizeof *ttft));
    total = need(calloc(MOST_REPLIES, sizeof *total));
    Conn *all = need(calloc((size_t)count, sizeof *all));
    idle = need(calloc((size_t)count, sizeof(Conn *)));
    for (int n = 0; n < count; n++) {
        all[n].fd = -1;
        all[n].request = need(malloc(request_size));
        all[n].body = need(malloc(REPLY));
        memcpy(all[n].request, request, request_size);
    }
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    double cpu = own_cpu();
    opening = now_us();
    last_start = opening + seconds * 1e6;
    for (int n = 0; n < count; n++) next(&all[n], now_us());
    struct epoll_event ready[256];
    for (double now = now_us(); (more(now) || done < started) && now < last_start + grace * 1e6; now = now_us()) {
        if (rate) {
            begin_due(now);
            if (idle_count && more(now)) alarm_at(timer, opening + (double)started / rate * 1e6);
        }
        int events = epoll_wait(poll_fd, ready, 256, 100);
        for (int n = 0; n < events; n++) {
            Conn *conn = ready[n].data.ptr;
            if (!conn) continue;           /* the timer: setting it anew clears it */
            if (conn->busy && ready[n].events & EPOLLOUT) send_more(conn);
            if (ready[n].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(conn);
        }
    }
    double took = (now_us() - opening) / 1e6;
    long good = done - errors, late = started - done;
    for (char *c = fault; *c; c++) if (*c == '"' || *c == '\\' || (unsigned char)*c < 32 || (unsigned char)*c > 126) *c = ' ';
    printf("{\"replies\":%ld,\"errors\":%ld,\"unfinished\":%ld,\"seconds\":%.4f,\"rate\":%.1f,\"ttft_p50\":%.1f,\"ttft_p99\":%.1f,"
           "\"total_p50\":%.1f,\"total_p99\":%.1f,\"cpu_us\":%.0f,\"fault\":\"%s\"}\n", good, errors, late, took,
           (double)good / took, quantile(ttft, good, .5), quantile(ttft, good, .99), quantile(total, good, .5),
           quantile(total, good, .99), cpu = own_cpu() - cpu, fault);
    return 0;
}
