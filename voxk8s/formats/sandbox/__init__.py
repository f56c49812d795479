"""Decoding in processes of their own, since the files come from strangers.

Readers of images are libraries in C and C++ (ITK with GDCM, NrrdIO, libtiff, libpng and libjpeg;
Pillow), and a file that is made for it may make them write where they should not, take all memory
or never return. So `decoder` sends each input to a process that was made for it and has nothing
else to lose: a fork of the process in `server`, which has the libraries loaded and never touches a
file. `confinement` takes away what decoding does not need, `messages` is what the two sides say.
What dies there is an error of its input.
"""
