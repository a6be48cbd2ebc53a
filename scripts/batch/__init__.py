"""Batches of song orders: storing, composing and rendering them, on one computer or many."""
