// Parses T-SQL with Microsoft's own parser and, where asked, proves from the syntax tree that it only reads.
//
// Standard input: one request a line, fields separated by tabs: grammar (110 ... 150), "reads" or "parses", a label, and
// the file that holds the batch in UTF-8. Standard output: one line a request: "ok" or "WRONG", the label, the reason.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.SqlServer.TransactSql.ScriptDom;

static class Check
{
    static int Main()
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        string line;
        while ((line = input.ReadLine()) != null)
        {
            string[] fields = line.Split('\t');
            string reason;
            try
            {
                reason = Judge(ParserOf(fields[0]), fields[1] == "reads", File.ReadAllText(fields[3], Encoding.UTF8));
            }
            catch (Exception error)
            {
                reason = error.GetType().Name + ": " + error.Message;
            }
            reason = reason.Replace('\t', ' ').Replace('\r', ' ').Replace('\n', ' ');
            Console.WriteLine((reason == "" ? "ok" : "WRONG") + "\t" + fields[2] + "\t" + reason);
        }
        return 0;
    }

    static TSqlParser ParserOf(string grammar)
    {
        switch (grammar)
        {
            case "110": return new TSql110Parser(true);
            case "120": return new TSql120Parser(true);
            case "130": return new TSql130Parser(true);
            case "140": return new TSql140Parser(true);
            case "150": return new TSql150Parser(true);
            default: throw new ArgumentException("there is no grammar " + grammar);
        }
    }

    static string Judge(TSqlParser parser, bool mustOnlyRead, string text)
    {
        IList<ParseError> errors;
        TSqlFragment tree = parser.Parse(new StringReader(text), out errors);
        if (errors.Count > 0)
        {
            return "line " + errors[0].Line + ": " + errors[0].Message;
        }
        var script = (TSqlScript)tree;
        if (script.Batches.Sum(batch => batch.Statements.Count) == 0)
        {
            return "no statement";
        }
        if (!mustOnlyRead)
        {
            return "";
        }
        if (script.Batches.Count != 1)
        {
            return "more than one batch";
        }
        if (script.Batches[0].Statements.Count > 1 && script.Batches[0].Statements.Any(one => one is DbccStatement))
        {
            return "DBCC among other statements";
        }
        var reads = new Reads();
        tree.Accept(reads);
        return reads.Complaint ?? "";
    }
}

// An allow-list: a statement, a source of rows, a function or a procedure that is not named here is refused.
sealed class Reads : TSqlFragmentVisitor
{
    static readonly HashSet<string> Procedures = new HashSet<string>(StringComparer.Ordinal)
    {
        "master.dbo.xp_regread", "master.dbo.xp_instance_regread", "sys.sp_readerrorlog", "master.sys.sp_helpdistributor",
    };

    static readonly HashSet<string> Schemas = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "sys", "dbo" };

    public string Complaint;

    void Refuse(string what)
    {
        if (Complaint == null)
        {
            Complaint = what;
        }
    }

    // Every statement ends here; what is allowed is named, and everything that a future grammar adds is refused.
    public override void Visit(TSqlStatement node)
    {
        if (!(node is SelectStatement || node is DeclareVariableStatement || node is SetVariableStatement
            || node is IfStatement || node is BeginEndBlockStatement || node is ExecuteStatement
            || node is PredicateSetStatement || node is SetCommandStatement || node is DbccStatement))
        {
            Refuse("statement " + node.GetType().Name);
        }
    }

    public override void Visit(SelectStatement node)
    {
        if (node.Into != null)
        {
            Refuse("SELECT INTO");
        }
    }

    public override void Visit(PredicateSetStatement node)
    {
        if (node.Options != SetOptions.NoCount || !node.IsOn)
        {
            Refuse("SET " + node.Options);
        }
    }

    public override void Visit(SetCommandStatement node)
    {
        foreach (SetCommand command in node.Commands)
        {
            var general = command as GeneralSetCommand;
            var value = general == null ? null : general.Parameter as Literal;
            if (general == null || general.CommandType != GeneralSetCommandType.LockTimeout
                || value == null || value.Value != "10000")
            {
                Refuse("a SET command");
            }
        }
    }

    public override void Visit(SetVariableStatement node)
    {
        if (node.AssignmentKind != AssignmentKind.Equals || node.CursorDefinition != null || node.FunctionCallExists
            || node.Identifier != null)
        {
            Refuse("SET of something else than a variable");
        }
    }

    public override void Visit(DbccStatement node)
    {
        bool quiet = node.Options != null && node.Options.Count == 1
            && node.Options[0].OptionKind == DbccOptionKind.NoInfoMessages;
        var values = node.Literals.Select(literal => Number(literal.Value)).ToArray();
        if (node.Command != DbccCommand.TraceStatus || !quiet || !values.SequenceEqual(new[] { "17600", "-1" }))
        {
            Refuse("DBCC " + node.Command);
        }
    }

    static string Number(ScalarExpression value)
    {
        var negative = value as UnaryExpression;
        if (negative != null && negative.UnaryExpressionType == UnaryExpressionType.Negative)
        {
            return "-" + Number(negative.Expression);
        }
        var literal = value as Literal;
        return literal == null ? "?" : literal.Value;
    }

    public override void Visit(ExecuteSpecification node)
    {
        if (node.LinkedServer != null || node.ExecuteContext != null)
        {
            Refuse("EXECUTE elsewhere or as somebody else");
        }
        var call = node.ExecutableEntity as ExecutableProcedureReference;
        var named = call == null ? null : call.ProcedureReference;
        var reference = named == null ? null : named.ProcedureReference;
        if (reference == null || call.AdHocDataSource != null || reference.Number != null)
        {
            Refuse("EXECUTE of something else than a named procedure");
        }
        else
        {
            string name = string.Join(".", reference.Name.Identifiers.Select(part => part.Value));
            if (!Procedures.Contains(name))
            {
                Refuse("procedure " + name);
            }
        }
    }

    public override void Visit(ExecuteOption node)
    {
        Refuse("EXECUTE with an option");
    }

    public override void Visit(TableReference node)
    {
        if (!(node is NamedTableReference || node is QueryDerivedTable || node is InlineDerivedTable
            || node is QualifiedJoin || node is UnqualifiedJoin || node is JoinParenthesisTableReference))
        {
            Refuse("source " + node.GetType().Name);
        }
    }

    public override void Visit(NamedTableReference node)
    {
        SchemaObjectName name = node.SchemaObject;
        if (name.ServerIdentifier != null)
        {
            Refuse("a table of another server");
        }
        if (name.SchemaIdentifier == null || !Schemas.Contains(name.SchemaIdentifier.Value))
        {
            Refuse("table " + name.BaseIdentifier.Value + " outside sys and dbo");
        }
    }

    public override void Visit(TableHint node)
    {
        if (node.HintKind != TableHintKind.ReadUncommitted)
        {
            Refuse("table hint " + node.HintKind);
        }
    }

    // A function of somebody else's, in the shape of a.b(...) or (...).b(...).
    public override void Visit(FunctionCall node)
    {
        if (node.CallTarget != null)
        {
            Refuse("function " + node.FunctionName.Value + " of a schema or type");
        }
    }

    public override void Visit(NextValueForExpression node)
    {
        Refuse("NEXT VALUE FOR");
    }

    public override void Visit(DataModificationSpecification node)
    {
        Refuse("a change of data");
    }

    public override void Visit(OptimizerHint node)
    {
        Refuse("a query hint");
    }

    public override void Visit(SelectStarExpression node)
    {
        Refuse("SELECT *");
    }
}
