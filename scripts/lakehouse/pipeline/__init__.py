"""From a data set to built relations: the loader and dbt together."""
