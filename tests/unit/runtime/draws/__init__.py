"""The rules of draws that hold without TensorFlow."""
