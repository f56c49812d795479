"""ImgQL: text to work plan. Pure.

`compile_program` gives a plan, `check_program` what is wrong with a program, `format_program` the
program in its usual form.
"""

from voxk8s.imgql.compiler import CompiledProgram, check_program, compile_program
from voxk8s.imgql.lower.global_scope import Symbol, SymbolTable
from voxk8s.imgql.syntax.diagnostics import Diagnostic, format_diagnostics
from voxk8s.imgql.syntax.formatter import format_program

__all__ = [
    "CompiledProgram",
    "Diagnostic",
    "Symbol",
    "SymbolTable",
    "check_program",
    "compile_program",
    "format_diagnostics",
    "format_program",
]
