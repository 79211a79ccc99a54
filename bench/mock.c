/* The upstream of the benchmark: one thread, epoll, HTTP/1.1 with keep-alive.
 *
 *   mock PORT            listens on 127.0.0.1 (0: the system chooses) and prints the port
 *
 * A path that ends in /messages is answered as Anthropic, any other POST as OpenAI chat; streamed when the body has
 * "stream":true. A stream is 64 content events of about 290 bytes, then usage and the end, all in one write. What else is
 * wanted stands as a word in the body, so that it reaches the mock through any gateway, or in the path:
 *   BENCH:TOOLS                        the stream is one tool call, its arguments in 64 fragments
 *   BENCH:PACED, /paced/               one event every 5 ms
 *   BENCH:CROWD, /paced/300x20/        20 events and the end, one every 150 to 450 ms, but the first text at once: long
 *                                      answers for a crowd, which must not march in step, and whose time to first token is
 *                                      the gateway's
 * The last text of each answer is END-OF-REPLY. It never parses JSON: the mock must not be what is measured (about 40,000
 * answers a second on one core).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, EVENT_BYTES = 290, PACE_US = 5000, CROWD_US = 300000, CROWD_PARTS = 20, MAX_FD = 65536, MAX_PARTS = EVENTS + 8 };
enum { OPENING = 3, ENDING = 4 };          /* up to the first text; the last text and what follows it, in either dialect */

typedef struct { int streamed, tools; long pace_us, parts; } Asked;      /* pace_us 0: all at once */

typedef struct { char *data; size_t size, room; } Text;
typedef struct { Text parts[MAX_PARTS]; int count; Text whole; } Stream;   /* whole: head and all parts, framed */
typedef struct {
    Text in;
    const char *out; size_t left;          /* what a full socket buffer has not yet taken */
    const Stream *paced; int next, cut; long pace_us; int slot;
} Conn;

static Conn *conns[MAX_FD];
static struct { int fd; double due; } pacing[MAX_FD];     /* apart from the connections: it is searched every millisecond */
static int pacing_count;
static Stream anthropic, openai, anthropic_tools, openai_tools;
static Text anthropic_plain, openai_plain;

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                                  "cache-control: no-cache\r\nrequest-id: req_bench\r\n"
                                  "transfer-encoding: chunked\r\n\r\n";

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void put(Text *text, const char *data, size_t size) {
    if (text->size + size + 1 > text->room) {
        text->room = (text->size + size + 1) * 2;
        text->data = realloc(text->data, text->room);
        if (!text->data) abort();
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = 0;
}

static void putf(Text *text, const char *format, ...) {
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(text, line, (size_t)size);
}

/* One server-sent event, framed as one HTTP chunk. */
static void event(Stream *stream, const char *format, ...) {
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    Text *part = &stream->parts[stream->count++];
    putf(part, "%x\r\n", size);
    put(part, line, (size_t)size);
    put(part, "\r\n", 2);
}

static void seal(Stream *stream) {
    put(&stream->parts[stream->count - 1], "0\r\n\r\n", 5);
    put(&stream->whole, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    for (int n = 0; n < stream->count; n++) put(&stream->whole, stream->parts[n].data, stream->parts[n].size);
}

/* Words that bring an event, whose frame takes `frame` bytes, to EVENT_BYTES. */
static const char *words(int n, size_t frame) {
    static char text[EVENT_BYTES + 64];
    static const char *lorem = "the quick brown fox jumps over the lazy dog and writes a line of code, then ";
    size_t want = frame < EVENT_BYTES - 20 ? EVENT_BYTES - frame : 20, at = (size_t)sprintf(text, "%02d ", n);
    for (size_t i = 0; at < want; i++) text[at++] = lorem[i % strlen(lorem)];
    text[at] = 0;
    if (n == EVENTS - 1) strcpy(text + at - 14, "  END-OF-REPLY");
    return text;
}

/* One fragment of {"command":"..."}, as the text of a JSON string; together they are the arguments of one call. */
static const char *fragment(int n, size_t frame) {
    static char text[EVENT_BYTES + 128];
    snprintf(text, sizeof text, "%s%s%s", n ? "" : "{\\\"command\\\":\\\"", words(n, frame), n == EVENTS - 1 ? "\\\"}" : "");
    return text;
}

#define CHUNK "data: {\"id\":\"chatcmpl-bench0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1790000000," \
              "\"model\":\"m1\",\"system_fingerprint\":\"fp_bench\",\"choices\":"

static void build_anthropic(Stream *stream, int tools) {
    event(stream, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\","
          "\"role\":\"assistant\",\"model\":\"m1\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
          "\"usage\":{\"input_tokens\":1000,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}\n\n");
    event(stream, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{%s}}\n\n",
          tools ? "\"type\":\"tool_use\",\"id\":\"toolu_bench\",\"name\":\"Bash\",\"input\":{}" : "\"type\":\"text\",\"text\":\"\"");
    for (int n = 0; n < EVENTS; n++)
        event(stream, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
              "\"delta\":{\"type\":\"%s\":\"%s\"}}\n\n", tools ? "input_json_delta\",\"partial_json" : "text_delta\",\"text",
              tools ? fragment(n, 139) : words(n, 125));
    event(stream, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
    event(stream, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"%s\","
          "\"stop_sequence\":null},\"usage\":{\"output_tokens\":640}}\n\n", tools ? "tool_use" : "end_turn");
    event(stream, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    seal(stream);
}

static void build_openai(Stream *stream, int tools) {
    for (int n = 0; n < EVENTS; n++) {
        const char *role = n ? "" : "\"role\":\"assistant\",";
        const char *call = n ? "" : "\"id\":\"call_bench\",\"type\":\"function\",";
        if (tools)
            event(stream, CHUNK "[{\"index\":0,\"delta\":{%s\"tool_calls\":[{\"index\":0,%s\"function\":{%s\"arguments\":\"%s\"}}]},"
                  "\"logprobs\":null,\"finish_reason\":null}]}\n\n", role, call, n ? "" : "\"name\":\"Bash\",", fragment(n, 263));
        else
            event(stream, CHUNK "[{\"index\":0,\"delta\":{%s\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
                  role, words(n, 216));
    }
    event(stream, CHUNK "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"%s\"}]}\n\n", tools ? "tool_calls" : "stop");
    event(stream, CHUNK "[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":640,\"total_tokens\":1640}}\n\n");
    event(stream, "data: [DONE]\n\n");
    seal(stream);
}

static void plain(Text *answer, const char *before, const char *after) {
    Text body = {0};
    putf(&body, "%s", before);
    for (int n = 0; n < EVENTS; n++) putf(&body, "%s ", words(n, 216));
    putf(&body, "%s", after);
    putf(answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\n"
         "content-length: %zu\r\n\r\n", body.size);
    put(answer, body.data, body.size);
    free(body.data);
}

static void build_plain(void) {
    plain(&anthropic_plain, "{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m1\","
          "\"content\":[{\"type\":\"text\",\"text\":\"", "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
          "\"usage\":{\"input_tokens\":1000,\"output_tokens\":640}}");
    plain(&openai_plain, "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1790000000,\"model\":\"m1\","
          "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"", "\"},\"logprobs\":null,"
          "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":640,\"total_tokens\":1640}}");
}

static void unpace(Conn *conn) {
    if (!conn->paced) return;
    pacing[conn->slot] = pacing[--pacing_count];
    conns[pacing[conn->slot].fd]->slot = conn->slot;
    conn->paced = NULL;
}

static void drop(int fd) {
    unpace(conns[fd]);
    free(conns[fd]->in.data);
    free(conns[fd]);
    conns[fd] = NULL;
    close(fd);
}

static int flush_out(int fd) {
    Conn *conn = conns[fd];
    while (conn->left) {
        ssize_t sent = send(fd, conn->out, conn->left, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) return 1;
            drop(fd);
            return 0;
        }
        conn->out += sent;
        conn->left -= (size_t)sent;
    }
    return 1;
}

/* Sends what is due; once a millisecond, however many connections wake us in between. */
static void pace(void) {
    static double last;
    double now = now_us();
    if (now - last < 1000) return;
    last = now;
    for (int n = pacing_count - 1; n >= 0; n--) {
        if (pacing[n].due > now) continue;
        int fd = pacing[n].fd;
        Conn *conn = conns[fd];
        if (conn->left) continue;
        const Text *part = &conn->paced->parts[conn->next++];
        conn->out = part->data;
        conn->left = part->size;
        if (conn->cut < 0) pacing[n].due += (double)conn->pace_us;
        else if (conn->next >= OPENING) pacing[n].due += (double)conn->pace_us * (0.5 + (double)rand() / RAND_MAX);
        if (conn->next == conn->cut) conn->next = conn->paced->count - ENDING;
        if (conn->next == conn->paced->count) unpace(conn);
        flush_out(fd);
    }
}

static void answer(int fd, int messages, Asked asked) {
    Conn *conn = conns[fd];
    const Stream *stream = asked.tools ? (messages ? &anthropic_tools : &openai_tools) : messages ? &anthropic : &openai;
    const Text *text = asked.streamed ? &stream->whole : messages ? &anthropic_plain : &openai_plain;
    conn->out = text->data;
    conn->left = text->size;
    if (asked.streamed && asked.pace_us) {
        conn->left = sizeof STREAM_HEAD - 1;
        conn->paced = stream;
        conn->next = 0;
        conn->cut = !asked.parts ? -1 : asked.parts < stream->count - ENDING ? (int)asked.parts : stream->count + 1;
        conn->pace_us = asked.pace_us;
        conn->slot = pacing_count;
        pacing[pacing_count].fd = fd;
        pacing[pacing_count++].due = now_us() + (asked.parts ? 0 : (double)asked.pace_us);
    }
    flush_out(fd);
}

/* Bytes of the complete request at the head of the buffer, 0 if it is not complete. */
static size_t complete(const Text *in, const char **body, size_t *body_size) {
    char *end = memmem(in->data, in->size, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end + 4 - in->data), size = 0;
    *end = 0;
    const char *length = strcasestr(in->data, "\ncontent-length:");
    int chunked = strcasestr(in->data, "\ntransfer-encoding: chunked") != NULL;
    *end = '\r';
    *body = in->data + head;
    if (length) size = strtoul(length + 16, NULL, 10);
    if (chunked) {                       /* only its end is looked for: no body of ours contains it */
        char *last = memmem(*body, in->size - head, "\r\n0\r\n\r\n", 7);
        if (!last) return 0;
        size = (size_t)(last + 7 - *body);
    }
    *body_size = size;
    return in->size >= head + size ? head + size : 0;
}

static int contains(const char *data, size_t size, const char *what) {
    return memmem(data, size, what, strlen(what)) != NULL;
}

static void pace_of(const char *line, size_t size, Asked *asked) {
    const char *found = memmem(line, size, "/paced", 6);
    if (!found) return;
    asked->pace_us = PACE_US;
    char *end;
    if (found[6] != '/' || found[7] < '1' || found[7] > '9') return;
    long pace = strtol(found + 7, &end, 10);
    if (*end != 'x') return;
    asked->pace_us = pace * 1000;
    asked->parts = strtol(end + 1, NULL, 10);
}

static void word_of(const char *body, size_t size, Asked *asked) {
    const char *found = memmem(body, size, "BENCH:", 6);
    if (!found || found + 11 > body + size) return;
    if (!memcmp(found + 6, "TOOLS", 5)) asked->tools = 1;
    else if (!memcmp(found + 6, "PACED", 5)) asked->pace_us = PACE_US;
    else if (!memcmp(found + 6, "CROWD", 5)) asked->pace_us = CROWD_US, asked->parts = CROWD_PARTS;
}

static void receive(int fd) {
    Conn *conn = conns[fd];
    static char buffer[1 << 18];
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EAGAIN) break;
        if (got <= 0) { drop(fd); return; }
        put(&conn->in, buffer, (size_t)got);
    }
    const char *body;
    size_t body_size, size = conn->in.size ? complete(&conn->in, &body, &body_size) : 0;
    if (!size || conn->left || conn->paced) return;
    size_t line = (size_t)((char *)memchr(conn->in.data, '\r', conn->in.size) - conn->in.data);
    int messages = contains(conn->in.data, line, "/messages");
    Asked asked = {.streamed = contains(body, body_size, "\"stream\":true") || contains(body, body_size, "\"stream\": true")};
    pace_of(conn->in.data, line, &asked);
    word_of(body, body_size, &asked);
    memmove(conn->in.data, conn->in.data + size, conn->in.size - size);
    conn->in.size -= size;
    answer(fd, messages, asked);
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, (void *)&address, size) || listen(fd, 4096)) { perror("mock"); exit(1); }
    getsockname(fd, (void *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    build_anthropic(&anthropic, 0);
    build_anthropic(&anthropic_tools, 1);
    build_openai(&openai, 0);
    build_openai(&openai_tools, 1);
    build_plain();
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0), poll = epoll_create1(0), on = 1;
    struct epoll_event item = {.events = EPOLLIN, .data.fd = listener}, ready[512];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &item);
    for (;;) {
        int count = epoll_wait(poll, ready, 512, pacing_count ? 1 : -1);
        for (int n = 0; n < count; n++) {
            int fd = ready[n].data.fd;
            if (fd == listener) {
                int peer;
                while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (peer >= MAX_FD) { close(peer); continue; }
                    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    conns[peer] = calloc(1, sizeof(Conn));
                    item = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.fd = peer};
                    epoll_ctl(poll, EPOLL_CTL_ADD, peer, &item);
                }
                continue;
            }
            if (conns[fd] && ready[n].events & EPOLLOUT && !flush_out(fd)) continue;
            if (conns[fd] && ready[n].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP | EPOLLERR)) receive(fd);
        }
        if (pacing_count) pace();
    }
}
