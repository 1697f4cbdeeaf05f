"""The emulator with a guard who lets in what IAM allows: moto itself judges no names, tags or boundaries."""
