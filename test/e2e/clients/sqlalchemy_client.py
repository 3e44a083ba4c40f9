"""Writes rows with SQLAlchemy and PyMySQL through the Secret's string as it is: see ../clientPrograms.ts."""

import itertools
import os
import sys
import threading
import time

import sqlalchemy

with open(f"{os.environ['SECRET']}/sqlalchemy") as file:
    engine = sqlalchemy.create_engine(file.read(), pool_pre_ping=True)


def leave_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=leave_with_the_test, daemon=True).start()
for id in itertools.count(1):
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"INSERT INTO {os.environ['TABLE']} (id) VALUES ({id})")
        print(id, flush=True)
    except Exception as error:
        print(error, file=sys.stderr, flush=True)
    time.sleep(0.05)
