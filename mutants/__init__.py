"""Whether a change of the Terraform that AWS would refuse, or that loses events, is seen here.

Every small edit of the synthesized stacks is made, one at a time, and each edited system is read and run.
"""
