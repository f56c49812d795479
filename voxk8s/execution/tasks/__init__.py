"""Operations to tasks: order, fusion, schedule."""
