/* The calculator of explanation/capacity.md: the formulas of bench/capacity.py, in the page, without a library and without a network.
 * tests/unit/bench/test_capacity.py runs both on the same inputs. What stands between the marks is written by
 * `python bench/capacity.py --write-docs`. */
"use strict";
(function () {
  /* generated */
  const CONSTANTS = {"translate_small_ms": 0.84, "translate_big_ms": 2.32, "translate_cold_ms": 16.5, "translate_forgotten_ms": 5.5, "relay_small_ms": 0.702, "relay_big_ms": 1.29, "translate_event_us": 74.5, "relay_event_us": 47.6, "start_ms": 0.655, "stream_kb": 50, "translate_burst": 4.3, "relay_burst": 3.3, "parent_mb": 15, "worker_mb": 106, "vocabulary_mb": 65, "caches_mb": 125, "memo_kb": 30000, "turn_kb": 2.4, "files_per_stream": 2, "other_files": 48, "idle_connections": 100, "max_in_flight": 2000, "connect_s": 5, "log_bytes": 630, "log_keep_mb": 450, "event_bytes": 290};
  const INPUTS = {
    demand: {
      agents: {"value": 200, "what": "agents at work at once: people's sessions and the subagents in them"},
      turns_per_minute: {"value": 3, "what": "turns (requests to the main model) of one agent"},
      background_per_turn: {"value": 0.2, "what": "small auxiliary requests for each turn"},
      request_kb: {"value": 120, "what": "size of a turn's request, history and tools included"},
      background_kb: {"value": 1, "what": "size of a background request"},
      reply_tokens: {"value": 500, "what": "tokens of a turn's reply"},
      background_tokens: {"value": 50, "what": "tokens of a background reply"},
      tokens_per_second: {"value": 60, "what": "speed of one stream"},
      events_per_token: {"value": 1, "what": "events for each token, if each comes in a read of its own"},
      first_token_s: {"value": 2, "what": "seconds until the provider's first token"},
      translate_share: {"value": 1, "what": "share of requests that are translated; the others are relayed"},
      new_share: {"value": 0.05, "what": "share of turns that begin a session, or come after a compaction"},
      hours: {"value": 8, "what": "hours of such work a day"},
    },
    fleet: {
      replicas: {"value": 2, "what": "machines or pods"},
      workers: {"value": 1, "what": "workers of each (Admin.workers)"},
      cores: {"value": 1, "what": "cores of each; more than one a worker are of no use to it"},
      memory_mb: {"value": 1024, "what": "memory of each"},
      files: {"value": 65536, "what": "descriptors that a worker may open (ulimit -Hn)"},
      lost: {"value": 1, "what": "replicas that may be missing without anybody noticing"},
      headroom: {"value": 0.5, "what": "how busy a worker may be, as computed; meters show more"},
      sticky: {"value": 0, "what": "share of requests that reach the worker which had the session before"},
      burst_share: {"value": 0.1, "what": "share of agents whose requests come in the same instant"},
    },
  };
  /* end of generated */

  const SMALL_KB = 1, BIG_KB = 120, MOST_REPLICAS = 1000, MOST_AGENTS = 1e7;

  /** The cost of a request of this size, from those of 1 kB and of 120 kB. */
  function line(small, big, kb) {
    return small + (big - small) * Math.max(0, kb - SMALL_KB) / (BIG_KB - SMALL_KB);
  }

  function demanded(d) {
    const turns = d.agents * d.turns_per_minute / 60;
    const background = turns * d.background_per_turn;
    const turnS = d.first_token_s + d.reply_tokens / d.tokens_per_second;
    const backgroundS = d.first_token_s + d.background_tokens / d.tokens_per_second;
    if (turnS * d.turns_per_minute > 60) {
      throw new RangeError("a turn takes " + turnS.toFixed(1) + " s: an agent has no " + d.turns_per_minute + " of them a minute");
    }
    const requests = turns + background;
    return {
      turns, background, requests,
      streams: turns * turnS + background * backgroundS,
      events: (turns * d.reply_tokens + background * d.background_tokens) * d.events_per_token,
      rows_a_day: requests * 3600 * d.hours,
    };
  }

  function costs(d, fleet, c, workers) {
    const t = d.translate_share;
    const sessions = d.agents * (fleet.sticky / workers + 1 - fleet.sticky);
    const held = sessions > 0 ? Math.min(1, c.memo_kb / (sessions * d.request_kb)) : 1;
    const missed = (1 - fleet.sticky) * Math.min(1, 2 * (workers - 1) * c.turn_kb / d.request_kb);
    const known = held * (1 - d.new_share) * (1 - missed);
    const forgotten = 1 - d.new_share - known;
    const newMs = t * (c.translate_cold_ms - c.translate_big_ms) * d.request_kb / BIG_KB;
    const forgottenMs = t * (c.translate_forgotten_ms - c.translate_big_ms) * d.request_kb / BIG_KB;
    const request = (kb) => t * line(c.translate_small_ms, c.translate_big_ms, kb)
      + (1 - t) * line(c.relay_small_ms, c.relay_big_ms, kb);
    const knownMs = request(d.request_kb);
    return {
      sessions, known,
      turn_ms: knownMs + newMs * d.new_share + forgottenMs * forgotten,
      new_turn_ms: knownMs + newMs,
      known_turn_ms: knownMs,
      background_ms: request(d.background_kb),
      event_us: t * c.translate_event_us + (1 - t) * c.relay_event_us,
    };
  }

  function plan(d, fleet, c) {
    const left = fleet.replicas - fleet.lost;
    if (!(left > 0)) {
      throw new RangeError("nobody is left: there have to be more replicas than may be lost");
    }
    const workers = left * fleet.workers;
    const f = Object.assign(demanded(d), costs(d, fleet, c, workers));
    const cores = f.turns * f.turn_ms / 1e3 + f.background * f.background_ms / 1e3 + f.events * f.event_us / 1e6;
    const t = d.translate_share, streams = f.streams / workers;
    const burstKb = d.agents * fleet.burst_share / workers * d.request_kb * (t * c.translate_burst + (1 - t) * c.relay_burst);
    const filled = Math.min(1, f.sessions * d.request_kb / c.memo_kb);
    const workerMb = c.worker_mb + c.vocabulary_mb + c.caches_mb * filled + (streams * c.stream_kb + burstKb) / 1024;
    const logMb = f.rows_a_day * c.log_bytes / 1024 / 1024;
    const sentKb = f.turns * d.request_kb + f.background * d.background_kb;
    return Object.assign(f, {
      workers, cores,
      busy: cores / workers / Math.min(1, fleet.cores / fleet.workers),
      streams_a_worker: streams,
      files_a_worker: c.files_per_stream * streams + c.idle_connections + c.other_files,
      memory_a_replica_mb: c.parent_mb + fleet.workers * workerMb,
      storm_s: f.streams * fleet.lost / fleet.replicas / workers * f.new_turn_ms / 1e3,
      network_mbit: (sentKb + f.events * c.event_bytes / 1024) * 8 / 1024,
      log_mb_a_day: logMb,
      log_days: logMb > 0 ? c.log_keep_mb * left / logMb : 0,
    });
  }

  function shares(f, fleet, c) {
    return {
      "processor": f.busy / fleet.headroom,
      "memory": f.memory_a_replica_mb / fleet.memory_mb,
      "streams": f.streams_a_worker / c.max_in_flight,
      "descriptors": f.files_a_worker / fleet.files,
      "a lost replica": f.storm_s / c.connect_s,
    };
  }

  function fits(d, fleet, c) {
    return Object.values(shares(plan(d, fleet, c), fleet, c)).every((share) => share <= 1);
  }

  function mostAgents(d, fleet, c) {
    let low = 0, high = MOST_AGENTS;
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (fits(Object.assign({}, d, { agents: middle }), fleet, c)) low = middle; else high = middle;
    }
    return low;
  }

  function replicasNeeded(d, fleet, c) {
    for (let replicas = Math.trunc(fleet.lost) + 1; replicas <= MOST_REPLICAS; replicas++) {
      if (fits(d, Object.assign({}, fleet, { replicas }), c)) return replicas;
    }
    return 0;
  }

  if (typeof module !== "undefined") {
    module.exports = { CONSTANTS, INPUTS, plan, shares, mostAgents, replicasNeeded };
    return;
  }

  /* ---- the page ---- */

  const ROWS = [
    ["requests", "requests/s", 1], ["streams", "streams open at once", 0], ["events", "events/s", 0],
    ["network_mbit", "Mbit/s, in and out each", 0], ["known", "of a turn's request its worker knows", "%"],
    ["turn_ms", "CPU of a turn without its events, ms", 2], ["cores", "cores busy, in all", 2],
    ["workers", "workers left when replicas are lost", 0], ["busy", "how busy each then is", "%"],
    ["streams_a_worker", "streams of each", 0], ["files_a_worker", "descriptors of each", 0],
    ["memory_a_replica_mb", "memory of a replica, MB", 0],
    ["storm_s", "seconds until the streams of a lost replica have begun again", 2],
    ["log_mb_a_day", "log a day, MB", 0], ["log_days", "days that the kept log files reach back", 1],
    ["rows_a_day", "rows of a ledger a day (there is none yet)", 0],
  ];

  function element(name, text, parent) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  function shown(value, form) {
    return form === "%" ? (100 * value).toFixed(0) + " %" : value.toFixed(form);
  }

  function start(place) {
    const fields = {};
    const form = element("form", "", place);
    for (const [group, inputs] of Object.entries(INPUTS)) {
      const table = element("table", "", form);
      for (const [name, { value, what }] of Object.entries(inputs)) {
        const row = element("tr", "", table);
        const label = element("label", what, element("td", "", row));
        const input = element("input", "", element("td", "", row));
        input.id = label.htmlFor = "capacity-" + name;
        input.type = "number";
        input.min = "0";
        input.step = "any";
        input.value = String(value);
        input.style.cssText = "width: 7em; border: 1px solid; padding: 0 .3em";
        (fields[group] = fields[group] || {})[name] = input;
      }
    }
    const output = element("div", "", place);
    output.setAttribute("aria-live", "polite");

    function read(group) {
      return Object.fromEntries(Object.entries(fields[group]).map(([name, input]) => {
        const value = Number(input.value);
        if (input.value.trim() === "" || !(value >= 0)) throw new RangeError(INPUTS[group][name].what + ": a number, 0 or more");
        return [name, value];
      }));
    }

    function show() {
      output.textContent = "";
      try {
        const demand = read("demand"), fleet = read("fleet");
        const found = plan(demand, fleet, CONSTANTS), used = shares(found, fleet, CONSTANTS);
        const first = Object.keys(used).reduce((a, b) => (used[b] > used[a] ? b : a));
        const most = mostAgents(demand, fleet, CONSTANTS), needed = replicasNeeded(demand, fleet, CONSTANTS);
        const verdict = "First met: " + first + ". This carries " + most.toFixed(0) + " agents. "
          + (needed ? "Replicas needed: " + needed + "." : "No number of such replicas is enough.");
        element("strong", verdict, element("p", "", output));
        const table = element("table", "", output);
        for (const [name, share] of Object.entries(used)) {
          const row = element("tr", "", table);
          element("td", "of the limit is used: " + name, row);
          element("td", shown(share, "%"), row);
        }
        for (const [key, what, digits] of ROWS) {
          const row = element("tr", "", table);
          element("td", what, row);
          element("td", shown(found[key], digits), row);
        }
      } catch (error) {
        element("p", error.message, output);
      }
    }

    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }

  const place = document.getElementById("capacity-calculator");
  if (place) {
    place.textContent = "";
    start(place);
  }
})();
