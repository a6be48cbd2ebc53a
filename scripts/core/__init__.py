"""What every other package may use: errors, paths, settings, files, child processes."""
