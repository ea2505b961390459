"""The oracle of the scenario engine: a plain interpreter, person by person, and what is needed to compare the compiled engine with it.

`interpreter` follows docs/explanation/engine.md and the settings of the nodes, never the SQL. `worlds` lists every outcome that some order of
simultaneous moves gives. `plays` draws graphs and what happens; `compiled` plays the same on PostgreSQL and reads the tables back.
"""
