"""Operations on the gateway itself: configuration, health, draining, explaining."""
