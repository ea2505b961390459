"""The HTTP faces, thin: parse, call one function below, shape the answer. One ASGI application serves them all."""
