"""The screens: pure functions from state to lines; one thread owns curses."""
