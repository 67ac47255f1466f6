"""Images in files: docker-archive and oci-archive, read and written."""
