// The executable: everything is in Commands.
