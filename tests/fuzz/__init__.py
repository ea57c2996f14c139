"""Inputs that nobody wrote: the whole front end has to answer each of them with a plan or with errors a person can mend."""
