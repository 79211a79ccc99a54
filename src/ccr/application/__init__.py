"""Use cases over the ports: what the gateway does, without saying with what."""
