// PolicyFile
