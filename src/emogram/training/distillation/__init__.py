"""Distillation: a small network first learns to give a teacher's frames, then the labels, softened by teachers or not."""
