"""Airflow: the balance trainer, whose files tell no day: each run lands what is new of all of them."""

from product import arrivals_dag, product_dag

arrivals = arrivals_dag("stedi", catchup=False)
stedi = product_dag("stedi", mode="full")
