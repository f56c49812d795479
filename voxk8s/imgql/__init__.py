"""ImgQL, the language: the text of a program to a work plan, by pure functions.

`compile_program` returns the plan, `check_program` the errors and warnings, `analyse_program` the
names too, `format_program` the program in its canonical form. The steps are the folders `syntax`,
`lower` and `reduce`; `compiler` runs them one after the other.
"""

from voxk8s.imgql.compiler import (
    CompiledProgram,
    ProgramAnalysis,
    analyse_program,
    check_program,
    compile_program,
)
from voxk8s.imgql.lower.global_scope import Symbol, SymbolTable
from voxk8s.imgql.lower.name_uses import NamePlace, NameUse
from voxk8s.imgql.syntax.diagnostics import Diagnostic, format_diagnostics
from voxk8s.imgql.syntax.formatter import format_program

__all__ = [
    "CompiledProgram",
    "Diagnostic",
    "NamePlace",
    "NameUse",
    "ProgramAnalysis",
    "Symbol",
    "SymbolTable",
    "analyse_program",
    "check_program",
    "compile_program",
    "format_diagnostics",
    "format_program",
]
