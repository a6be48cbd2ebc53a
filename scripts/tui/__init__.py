"""Terminal user interface: screens are pure functions of the state; one thread uses curses."""
