"""Mixed traffic for a long time, a third of it by clients that leave; what grows is a leak."""
