"""An endpoint's log as people meet it: how it is kept, what is in it, whose fields are erased."""
