"""The command `dlspec`, one file a command.

In: arguments. Out: text on the terminal and an exit code. Nothing imports this room.
"""
