"""What callers of KServe's first protocol and of Vertex AI speak: instances in, predictions out, in one handler."""
