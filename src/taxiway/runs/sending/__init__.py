"""From a training loop to the server: records on disk first, delivered each once, by whoever comes."""
