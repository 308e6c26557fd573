"""The bank's core: embedded on SQL, or remote over REST, and the server that offers the embedded one."""
