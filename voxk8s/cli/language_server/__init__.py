"""The language server of ImgQL: errors as one types, hover, completion, definitions, rename.

`answers` are those to messages of the Language Server Protocol, and `server` has the documents;
`document` is what is known of a text, and the others answer questions about it by pure functions.
"""
