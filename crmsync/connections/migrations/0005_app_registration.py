from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0004_ownership_and_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="registration_id",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
    ]
