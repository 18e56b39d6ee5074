"""`tf-repro verify`: run a program several times, and say where and why the runs part.

record   one run, in a folder of its own   -> running/
read     what it left                      -> reading/
compare  the first difference              -> comparing/
explain  the class of cause, in words      -> cause.py, kinds.py
bisect   the operation, by an extra pair   -> bisect.py
judge    all runs against the first        -> verdict.py
report   terminal, JSON, HTML              -> reporting/
"""
