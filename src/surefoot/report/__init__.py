"""What a person sees: text, figures, one-file HTML, saved JSON. Computes nothing."""
