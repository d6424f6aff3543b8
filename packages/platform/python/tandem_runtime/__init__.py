"""What Tandem runs inside an app's own interpreter. Python 3.8 and later, standard library only."""
