"""The package behind the command `lakehouse`: lands raw data, and helps the pipeline around dbt.

It has rooms, and each looks only into those below it, which `make lint` checks:

    commands    what a person types: one module a subcommand, below cli, the entry point
    privacy     people are erased, everywhere, and that is proven
    serving     what answers one question is exported to a store that answers it by one read
    diff        what the working tree changes against a base revision, in Markdown
    pipeline    from a data set to built relations: the loader and dbt together
    derived     landing tables that are worked out of what has landed
    landing     files are landed: what is new is planned, staged, and takes effect by the ledger
    records     the records of a file are read and checked
    deployment  what the project needs on AWS is made and removed: the stack of infra/
    storage     files are kept in a folder of this machine or in a prefix of a bucket
    and below   declaration (the sources' YAML), console, identity, ending, errors

Beside them: sample (its generator) and parity (rows compared between engines).
"""
