"""The services whose code ships: each has a folder, and `common` goes along with every one of them."""
