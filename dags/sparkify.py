"""Airflow: the song plays, whose files come by day."""

from product import arrivals_dag, product_dag

arrivals = arrivals_dag("sparkify", catchup=False)
sparkify = product_dag("sparkify", mode="append")
