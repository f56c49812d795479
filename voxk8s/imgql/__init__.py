"""ImgQL: text to work plan. Pure."""
