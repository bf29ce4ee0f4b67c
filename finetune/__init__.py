"""Data scientists' side: data, training, evaluation and export of the text models."""
