"""A crowd of long streams before one worker: who is served, who is refused, how soon, and what it costs."""
