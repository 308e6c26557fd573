"""Pictures of a flow: what is drawn (outline), where it stands (order, columns, layout), and how (svg, mermaid)."""
