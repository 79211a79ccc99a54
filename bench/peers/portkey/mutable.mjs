// Portkey 1.15.2 adds headers to the Response that fetch gave it. On Node 20 those are immutable and every streamed
// answer fails; a Response made of it has headers that can be changed. Nothing else is altered.
const { fetch: given, Response } = globalThis;
globalThis.fetch = async (...words) => {
  const found = await given(...words);
  return new Response(found.body, found);
};
