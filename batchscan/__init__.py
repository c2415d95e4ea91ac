"""Find out where on the web copies of a whole folder of pictures turned up."""
