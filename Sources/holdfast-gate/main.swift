// One call: what is declared here belongs to the main actor, which brings concurrency and libdispatch into the program,
// two megabytes and a slower start.
standBeforeStart()
