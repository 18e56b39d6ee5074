"""`tf-repro verify`: run a program several times, and say where and why the runs part.

record   one run, in a folder of its own   -> runs.py, workspace.py
read     what it left                      -> records.py
compare  the first difference              -> compare.py, weights.py, artifacts.py
explain  the class of cause, in words      -> explain.py
bisect   the operation, by an extra pair   -> bisect.py, trace.py, draws.py
report   terminal, JSON, HTML              -> report.py, page.py, passport.py
"""
