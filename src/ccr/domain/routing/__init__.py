"""Where requests go, and why: ``decide(policy, facts, conditions) -> RouteDecision``."""
