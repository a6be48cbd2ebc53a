"""Local GGUF models: files, the child process that runs one, prompts, grammar and sampling."""
