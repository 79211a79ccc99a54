"""One exchange with a provider, and its way to the client: prepare, open, commit, relay, settle."""
