"""Whether the project keeps its promises on the AWS that answers: steps that are run, and the evidence of them.

What a verification makes has a place of its own: below `.verify` on this machine, below the prefix `verify` of the
bucket, and in schemas of the environment `verify`. It is removed at the end; after a kill, by the next one.
"""
