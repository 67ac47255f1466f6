"""The content store: blobs, unpacked layers, installed distros, and the index of all of it."""
