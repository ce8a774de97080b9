"""Compiled twins: the same model as a file of ONNX, where that is faster and was found to answer equally."""
