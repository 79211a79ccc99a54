// It is a library: PORT and UPSTREAM are its arguments here. Spans are recorded only for a project key; it has none.
import { createRequire } from "node:module";

const [port, upstream, folder] = process.argv.slice(2);
const { ProxyServer } = createRequire(`${folder}/`)("@lmnr-ai/claude-code-proxy");
new ProxyServer(Number(port)).runServer(upstream);
setInterval(() => {}, 1 << 30);
